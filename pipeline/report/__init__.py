"""The report: tables, plots and strips of clips -> one folder that needs no network."""
