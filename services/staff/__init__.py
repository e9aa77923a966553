"""Staff: who may sign in to the console, by what proof, and for how long."""
