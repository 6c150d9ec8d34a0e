"""What several families are made of: loading their parts, rectified flow, the Oobleck autoencoder, text encoders."""
