"""What the app has in a shop: its installation and scopes, its tokens, its plan, its signed addresses."""
