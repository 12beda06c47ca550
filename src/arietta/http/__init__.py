"""The HTTP/1.1 and WebSocket front: it knows requests, users and sockets, and nothing of calls."""

from arietta.http.auth import Users
from arietta.http.front import Api, AriFront, FrontOptions
from arietta.http.messages import Handler, Peer, Request, Response, SwitchProtocols, html_page, json_message
from arietta.http.mounts import MountTable
from arietta.http.pages import Pages
from arietta.http.server import Address, HttpOptions, HttpServer, tls_context
from arietta.http.static import StaticFiles
from arietta.http.status_page import StatusPage
from arietta.http.user import AclRule, User
from arietta.http.websocket import Accept, WebSocket, WebSocketConnection, WebSocketOptions, text_frame

__all__ = [
    "Accept",
    "AclRule",
    "Address",
    "Api",
    "AriFront",
    "FrontOptions",
    "Handler",
    "HttpOptions",
    "HttpServer",
    "MountTable",
    "Pages",
    "Peer",
    "Request",
    "Response",
    "StaticFiles",
    "StatusPage",
    "SwitchProtocols",
    "User",
    "Users",
    "WebSocket",
    "WebSocketConnection",
    "WebSocketOptions",
    "html_page",
    "json_message",
    "text_frame",
    "tls_context",
]
