"""What a client may send: the requests of the OpenAI interface that are served, and our own two.

Knows shapes and bounds that hold for every service. Invariant: a field that would change the answer is served or refused by name,
never ignored; fields that other servers know and that ask for nothing here may be sent with their neutral value.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

Stop = str | list[str] | None


class Wire(BaseModel):
    """A request body: unknown fields are refused."""

    model_config = ConfigDict(extra="forbid", str_max_length=1_000_000)


class StreamOptions(Wire):
    include_usage: bool = False
    include_obfuscation: bool = False


class Generation(Wire):
    """What completions and chats have in common."""

    model: Annotated[str, Field(max_length=200, description="The service's name, or the id of the model it serves")] = ""
    max_tokens: Annotated[int | None, Field(ge=1, description="Longest answer in tokens")] = None
    temperature: Annotated[float | None, Field(ge=0, le=2, description="0 takes the most probable token")] = None
    top_p: Annotated[float | None, Field(gt=0, le=1)] = None
    seed: Annotated[int | None, Field(ge=-(2**63), lt=2**63, description="Same seed, same text")] = None
    stop: Annotated[Stop, Field(description="Strings before which the text ends")] = None
    stream: bool | None = False
    stream_options: StreamOptions | None = None
    user: Annotated[str | None, Field(max_length=500, description="Accepted and not kept")] = None
    # Not served: only their neutral values pass.
    n: Literal[1] | None = None
    best_of: Literal[1] | None = None
    presence_penalty: float | None = None
    frequency_penalty: float | None = None
    logit_bias: dict[str, float] | None = None
    logprobs: bool | int | None = None
    store: Literal[False] | None = None

    @model_validator(mode="after")
    def _only_neutral(self) -> Generation:
        for name in ("presence_penalty", "frequency_penalty", "logit_bias", "logprobs", "top_logprobs", "echo", "suffix"):
            if getattr(self, name, None):
                raise ValueError(f"{name} is not offered by this service; leave it out")
        return self

    @property
    def stops(self) -> tuple[str, ...]:
        if isinstance(self.stop, str):
            return (self.stop,)
        return tuple(self.stop or ())


class Completion(Generation):
    """Text that goes on from a prompt."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [
        {"model": "laws", "prompt": "第一条 为了", "max_tokens": 60, "temperature": 0.7, "seed": 1},
        {"model": "laws", "prompt": "第二条", "stream": True},
    ]})  # fmt: skip
    prompt: Annotated[str | list[str], Field(description="One text; a list may hold one")]
    echo: bool | None = None
    suffix: str | None = None

    @model_validator(mode="after")
    def _one_prompt(self) -> Completion:
        if isinstance(self.prompt, list) and len(self.prompt) != 1:
            raise ValueError("one prompt a request: send several requests at once, they are batched")
        return self

    @property
    def text(self) -> str:
        return self.prompt if isinstance(self.prompt, str) else self.prompt[0]


class Part(Wire):
    type: Literal["text"]
    text: str


class Turn(Wire):
    role: Literal["system", "developer", "user", "assistant"]
    content: str | list[Part]
    name: str | None = None

    @property
    def text(self) -> str:
        return self.content if isinstance(self.content, str) else "".join(p.text for p in self.content)


class Chat(Generation):
    """The next turn of a chat."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [
        {"model": "laws", "messages": [{"role": "user", "content": "什么是居住权？"}], "max_tokens": 120},
    ]})  # fmt: skip
    messages: Annotated[list[Turn], Field(min_length=1)]
    max_completion_tokens: Annotated[int | None, Field(ge=1)] = None
    top_logprobs: int | None = None
    response_format: dict[Literal["type"], Literal["text"]] | None = None


class Classification(Wire):
    """Labels for texts."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"model": "departments", "input": ["第一条 为了保护税收……"]}]}
    )
    model: Annotated[str, Field(max_length=200)] = ""
    input: Annotated[str | list[str], Field(description="One text or a list of texts")]

    @property
    def texts(self) -> list[str]:
        return [self.input] if isinstance(self.input, str) else self.input


class Feedback(Wire):
    """What a user says about an answer."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [
        {"response_id": "cmpl-6f1c", "rating": "down", "correction": "第一条 为了保护民事主体的权益", "comment": "不完整"},
    ]})  # fmt: skip
    response_id: Annotated[str, Field(min_length=1, max_length=100)]
    rating: Literal["up", "down"] | None = None
    correction: str = ""
    comment: str = ""

    @model_validator(mode="after")
    def _says_something(self) -> Feedback:
        if not (self.rating or self.correction.strip() or self.comment.strip()):
            raise ValueError("give at least one of rating, correction and comment")
        return self


Body = dict[str, Any]
