"""How each kind of steering term is measured: one file each; ``registry.AIMS`` knows them by kind."""
