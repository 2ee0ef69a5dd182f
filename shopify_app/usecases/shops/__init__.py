"""A shop comes, opens, changes its scopes and settings, goes.

install    from the first opening to the uninstall
access     its Admin API with a token that will last
merchant_settings     its settings, proved field by field
"""
