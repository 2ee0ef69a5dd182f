"""What a document means: the real schema, our tables of its fields, search, scopes, what a query costs."""
