"""Playlists: as files, under names that stay alive, and on other servers."""
