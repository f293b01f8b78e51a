"""The conversation as data: what was asked, what came back, and what changed just now.

Layer 1, pure. Above it: `render` draws it, the faces follow its changes. Below it: `protocol` (messages) and
`errors`. `model` holds the nouns, `reduce` is the only writer.
"""

from .model import (
    Block,
    Change,
    ChangeKind,
    CodeBlock,
    Conversation,
    Notice,
    Question,
    Text,
    Thinking,
    Tool,
    Turn,
    Usage,
)

__all__ = [
    "Block",
    "Change",
    "ChangeKind",
    "CodeBlock",
    "Conversation",
    "Notice",
    "Question",
    "Text",
    "Thinking",
    "Tool",
    "Turn",
    "Usage",
]
