"""A case is a file: a shop, the news that comes from it, and what must be right then.

case            the format: a shop (`world.description`), steps, `expect` statements
reading         a file to a case, or one line that names the field that is wrong
older           cases in the two shapes of before
"""
