"""Where access keys come from. May block; secrets stay masked."""
