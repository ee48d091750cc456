"""What an accelerator is worth: by its maker's sheet until it has been measured, by what was measured from then on."""
