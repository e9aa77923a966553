"""Routes for browsers and for other systems: simulator, links, department API, webhooks, health."""
