"""What every floor above stands on: errors, the door, the call, settings, state."""
