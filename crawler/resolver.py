"""Name resolution under the address policy: a name that leads to a refused address does not resolve.

Works at connect time, so a name that changes its address between two looks (DNS rebinding) is judged each time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.interfaces import (
    IAddress,
    IHostnameResolver,
    IHostResolution,
    IResolutionReceiver,
)
from zope.interface import implementer

from aidivide_archive.addresses import AddressPolicy


@implementer(IHostResolution)
class _Resolution:
    def __init__(self, name: str) -> None:
        self.name = name

    def cancel(self) -> None:
        raise NotImplementedError  # resolved at once: there is nothing to cancel


@implementer(IHostnameResolver)
class GuardedResolver:
    """Wraps the reactor's resolver; `hosts` maps names to addresses (profile `[fetch.hosts]`)."""

    def __init__(
        self,
        original: Any,
        policy: AddressPolicy,
        hosts: Mapping[str, str],
        refused: dict[str, str] | None = None,
    ) -> None:
        """`refused` takes the names that led to refused addresses only, and why (slug)."""
        self._original = original
        self._refused = {} if refused is None else refused
        self._policy = policy
        self._hosts = {name.lower(): address for name, address in hosts.items()}

    def resolveHostName(  # noqa: N802  # the interface's name
        self,
        resolutionReceiver: IResolutionReceiver,  # noqa: N803  # the interface's name
        hostName: str,  # noqa: N803
        portNumber: int = 0,  # noqa: N803
        addressTypes: Sequence[type[IAddress]] | None = None,  # noqa: N803
        transportSemantics: str = "TCP",  # noqa: N803
    ) -> IHostResolution:
        receiver = _GuardedReceiver(
            resolutionReceiver, self._policy, hostName.lower(), self._refused
        )
        mapped = self._hosts.get(hostName.lower())
        if mapped is None:
            resolution: IHostResolution = self._original.resolveHostName(
                receiver, hostName, portNumber, addressTypes, transportSemantics
            )
            return resolution
        resolution = cast("IHostResolution", _Resolution(hostName))
        receiver.resolutionBegan(resolution)
        kind = IPv6Address if ":" in mapped else IPv4Address
        receiver.addressResolved(kind("TCP", mapped, portNumber))
        receiver.resolutionComplete()
        return resolution


@implementer(IResolutionReceiver)
class _GuardedReceiver:
    def __init__(
        self, receiver: Any, policy: AddressPolicy, name: str, refused: dict[str, str]
    ) -> None:
        self._receiver = receiver
        self._policy = policy
        self._name = name
        self._refused = refused
        self._slug: str | None = None
        self._passed = False

    def resolutionBegan(self, resolutionInProgress: Any) -> None:  # noqa: N802, N803
        self._receiver.resolutionBegan(resolutionInProgress)

    def addressResolved(self, address: Any) -> None:  # noqa: N802
        slug = self._policy.check_address(address.host)
        if slug is None:
            self._passed = True
            self._receiver.addressResolved(address)
        else:
            self._slug = slug

    def resolutionComplete(self) -> None:  # noqa: N802
        if self._slug is not None and not self._passed:
            self._refused[self._name] = self._slug
        self._receiver.resolutionComplete()
