"""The section `embed` of params.yaml: text encoders, and how each prompt set is embedded."""

from typing import Literal

from pipeline.config.section import Above, Device, Positive, Section, Switch, subset


class EmbeddedSet(Section):
    """Padded length in tokens; whether the padding's rows are set to zero; a factor on all embeddings, which brings
    MiniLM's to about unit variance for the toy world's models."""

    length: Positive
    zero_padding: Switch
    scale: Above = 1.0


class Encoder(Section):
    """`checkpoint`: local folder or hub id. `sets`: prompt sets, and how each is embedded. `device`: cpu, cuda or
    cuda:1; null: the first GPU where there is one."""

    kind: Literal["minilm", "t5", "clip"]
    checkpoint: str
    sets: dict[str, EmbeddedSet]
    device: Device | None = None


class Text(Section):
    """What a training embeds captions with: an encoder, as it embeds one of its sets."""

    encoder: str
    set: str


class Embed(Section):
    encoders: dict[str, Encoder]

    @property
    def sets(self) -> set[str]:
        """The sets that any encoder embeds."""
        return {name for encoder in self.encoders.values() for name in encoder.sets}

    def check(self, key: str, encoder: str, set_name: str) -> None:
        """Refuse an encoder or a set that is not defined.

        Raises:
            ValueError: naming `key`, which asks for them.
        """
        subset(f"{key}.encoder", [encoder], "embed.encoders", self.encoders)
        subset(f"{key}.set", [set_name], f"embed.encoders.{encoder}.sets", self.encoders[encoder].sets)
