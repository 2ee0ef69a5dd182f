"""A shop comes, opens, changes its scopes and settings, goes.

install    from the first opening to the uninstall
uninstalls    news of one is confirmed before anything is deleted
access     its Admin API with a token that will last
merchant_settings, settings_form     its settings, proved field by field
simulated_days    its clock follows the days of a simulated shop: in development only
writes    its kill switch: no price leaves while writes are paused
"""
