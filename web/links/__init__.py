"""Links sent by SMS and e-mail, and the pages behind them."""
