"""Settings, composed from what each room needs; legal policy, sources and release rules as TOML.

`config.settings.load(dir) -> Settings` reads oktt.toml, sources.toml, legal.toml and rules.toml. Unknown keys are
refused with file, line and key. The defaults in config/defaults are what `oktt init` writes.
"""


class ConfigError(Exception):
    """A setting that cannot be used: `oktt.toml:12: desk.wave_over: ...`, with the next step."""
