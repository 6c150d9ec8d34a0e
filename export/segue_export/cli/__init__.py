"""The command line ``segue-export``: one file for each command."""
