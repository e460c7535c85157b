"""Installing the app by OAuth."""
