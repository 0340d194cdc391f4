"""The four wire formats: a request's body to a conversation, an answer to the events of a stream.

Next in the flow: `server`.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from typing import Any

from tests.model.conversation import Answer, Conversation, Say, Shell, Turn

Json = dict[str, Any]
_numbers = itertools.count(1)

#: What every answer is said to have cost.
INPUT, CACHED, OUTPUT = 1200, 200, 30


def _text(content: object) -> str:
    """Join the text of a content that may be a string or a list of parts."""
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list) else []
    return "\n".join(part["text"] for part in parts if isinstance(part, dict) and isinstance(part.get("text"), str))


# -- Anthropic messages (Claude Code)


def read_messages(body: Json) -> Conversation:
    """Read `POST /v1/messages`."""
    turns = [turn for message in body.get("messages", []) for turn in _anthropic_turns(message)]
    return Conversation("messages", turns, body.get("model", ""), tools=bool(body.get("tools")))


def _anthropic_turns(message: Json) -> Iterator[Turn]:
    content = message["content"]
    who = "user" if message["role"] == "user" else "agent"
    for part in content if isinstance(content, list) else [{"type": "text", "text": content}]:
        if part.get("type") == "tool_result":
            yield Turn("result", _text(part.get("content")))
        elif part.get("type") == "text":
            yield Turn(who, part["text"])


def write_messages(answer: Answer, model: str) -> Iterator[tuple[str, Json]]:
    """Write a streamed message."""
    usage = {"input_tokens": INPUT - CACHED, "cache_read_input_tokens": CACHED, "output_tokens": 1}
    number = next(_numbers)
    message = {"id": f"msg_{number}", "type": "message", "role": "assistant", "model": model, "content": []}
    yield "message_start", {"message": {**message, "stop_reason": None, "usage": usage}}
    if isinstance(answer, Shell):
        tool = {"type": "tool_use", "id": f"toolu_{number}", "name": "Bash", "input": {}}
        given = json.dumps({"command": answer.command, "description": "Carry it out", "timeout": 600000})
        block, delta, reason = tool, {"type": "input_json_delta", "partial_json": given}, "tool_use"
    else:
        said = answer.text if isinstance(answer, Say) else ""
        block, delta, reason = {"type": "text", "text": ""}, {"type": "text_delta", "text": said}, "end_turn"
    yield "content_block_start", {"index": 0, "content_block": block}
    yield "content_block_delta", {"index": 0, "delta": delta}
    yield "content_block_stop", {"index": 0}
    yield "message_delta", {"delta": {"stop_reason": reason}, "usage": {"output_tokens": OUTPUT}}
    yield "message_stop", {}


# -- OpenAI responses (Codex)


def read_responses(body: Json) -> Conversation:
    """Read `POST /responses`."""
    turns = []
    for item in body.get("input", []):
        kind = item.get("type", "message")
        if kind == "message":
            who = {"user": "user", "assistant": "agent"}.get(item.get("role", ""), "system")
            turns.append(Turn(who, _text(item.get("content"))))
        elif kind == "function_call_output":
            turns.append(Turn("result", str(item.get("output"))))
    return Conversation("responses", turns, body.get("model", ""), tools=bool(body.get("tools")))


def write_responses(answer: Answer, _model: str) -> Iterator[tuple[str, Json]]:
    """Write a streamed response."""
    number = next(_numbers)
    head = {"id": f"resp_{number}"}
    yield "response.created", {"response": head}
    if isinstance(answer, Shell):
        call = {"cmd": answer.command, "yield_time_ms": 60000}
        ids = {"id": f"fc_{number}", "call_id": f"call_{number}"}
        item: Json = {"type": "function_call", **ids, "name": "exec_command", "arguments": json.dumps(call)}
    else:
        said = answer.text if isinstance(answer, Say) else ""
        item = {"type": "message", "id": f"msg_{number}", "role": "assistant",
                "content": [{"type": "output_text", "text": said, "annotations": []}]}  # fmt: skip
    yield "response.output_item.added", {"output_index": 0, "item": item}
    yield "response.output_item.done", {"output_index": 0, "item": item}
    usage = {"input_tokens": INPUT, "input_tokens_details": {"cached_tokens": CACHED}, "output_tokens": OUTPUT,
             "output_tokens_details": {"reasoning_tokens": 0}, "total_tokens": INPUT + OUTPUT}  # fmt: skip
    yield "response.completed", {"response": {**head, "usage": usage, "output": [item]}}


# -- OpenAI chat completions (OpenCode)


def read_chat(body: Json) -> Conversation:
    """Read `POST /v1/chat/completions`."""
    whose = {"user": "user", "assistant": "agent", "tool": "result"}
    turns = [Turn(whose.get(said["role"], "system"), _text(said.get("content"))) for said in body.get("messages", [])]
    return Conversation("chat", turns, body.get("model", ""), tools=bool(body.get("tools")))


def write_chat(answer: Answer, model: str) -> Iterator[tuple[str, Json]]:
    """Write the chunks of a completion."""
    number = next(_numbers)
    head = {"id": f"chat_{number}", "object": "chat.completion.chunk", "created": 0, "model": model}
    if isinstance(answer, Shell):
        given = json.dumps({"command": answer.command, "description": "Carry it out"})
        call = {
            "index": 0,
            "id": f"call_{number}",
            "type": "function",
            "function": {"name": "bash", "arguments": given},
        }
        delta, reason = {"role": "assistant", "tool_calls": [call]}, "tool_calls"
    else:
        delta, reason = {"role": "assistant", "content": answer.text if isinstance(answer, Say) else ""}, "stop"
    yield "", {**head, "choices": [{"index": 0, "delta": delta, "finish_reason": None}]}
    yield "", {**head, "choices": [{"index": 0, "delta": {}, "finish_reason": reason}]}
    usage = {"prompt_tokens": INPUT, "prompt_tokens_details": {"cached_tokens": CACHED}, "completion_tokens": OUTPUT,
             "total_tokens": INPUT + OUTPUT}  # fmt: skip
    yield "", {**head, "choices": [], "usage": usage}


# -- Gemini


def read_gemini(body: Json) -> Conversation:
    """Read `POST /v1beta/models/M:streamGenerateContent`."""
    turns = []
    for content in body.get("contents", []):
        who = "agent" if content.get("role") == "model" else "user"
        for part in content.get("parts", []):
            if "functionResponse" in part:
                turns.append(Turn("result", json.dumps(part["functionResponse"].get("response"))))
            elif isinstance(part.get("text"), str):
                turns.append(Turn(who, part["text"]))
    return Conversation("gemini", turns, tools=bool(body.get("tools")))


def write_gemini(answer: Answer, _model: str) -> Iterator[tuple[str, Json]]:
    """Write the only chunk of an answer."""
    part: Json
    if isinstance(answer, Shell):
        number = next(_numbers)
        given = {"command": answer.command, "description": "Carry it out"}
        part = {"functionCall": {"id": f"call_{number}", "name": "run_shell_command", "args": given}}
    else:
        part = {"text": answer.text if isinstance(answer, Say) else ""}
    usage = {"promptTokenCount": INPUT, "cachedContentTokenCount": CACHED, "candidatesTokenCount": OUTPUT,
             "totalTokenCount": INPUT + OUTPUT}  # fmt: skip
    candidate = {"content": {"role": "model", "parts": [part]}, "finishReason": "STOP", "index": 0}
    yield "", {"candidates": [candidate], "usageMetadata": usage}
