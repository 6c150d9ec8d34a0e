"""From a local folder to a bundle: refuse early, estimate, acknowledge the licence, export part by part."""
