"""Everything that is asked over HTTP, one blueprint a module; a route reads the request and hands it on."""
