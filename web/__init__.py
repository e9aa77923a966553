"""What a browser sees of the gateway: the phone on the desk, and the departments' API."""
