"""What a musician wishes beyond music that fits: tags, references, features, presets, and how strongly."""
