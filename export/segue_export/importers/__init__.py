"""The open families of priors: one file each, found by what it defines (see :mod:`segue_export.importers.registry`)."""
