"""Result files -> MLflow."""
