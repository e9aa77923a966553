"""What departments' systems send and are sent: each model checks it, writes it, and describes it in openapi.json."""
