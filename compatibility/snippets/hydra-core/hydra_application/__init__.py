"""An application with its configuration in a package."""
