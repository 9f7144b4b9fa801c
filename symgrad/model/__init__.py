"""What users write: operations, layers and losses, formulas as text, models and model files."""
