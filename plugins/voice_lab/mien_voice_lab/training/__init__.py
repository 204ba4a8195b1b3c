"""How the tone network's weights are made; nothing here is needed to use them."""
