"""Formula news: the same sentences about another thing each time, with invented names."""

from __future__ import annotations

import random
from collections.abc import Callable

Template = Callable[[random.Random], list[str]]
"""Writes one report, sentence by sentence."""

_PLACES = (
    "Corvane",
    "Port Ellery",
    "Mirandal",
    "Tesk",
    "Ulvaro",
    "Quillon",
    "Hadera Bay",
    "Ostrel",
)
_PEOPLE = ("Mara Lind", "Jonas Ferro", "Aiko Brandt", "Nadia Osei", "Viktor Hale", "Ines Cardo")
_FIRMS = ("Altoric", "Benvora", "Cintelle", "Dorvex", "Elmstad", "Fenwick Lode", "Gravane")
_MONTHS = ("January", "March", "April", "June", "July", "September", "October", "December")
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday")


def _quake(chance: random.Random) -> list[str]:
    place, other = chance.sample(_PLACES, 2)
    return [
        f"A magnitude {chance.randint(40, 72) / 10} earthquake struck near {place} on "
        f"{chance.choice(_DAYS)}, the seismological institute said.",
        f"The quake hit at a depth of {chance.randint(8, 120)} kilometres at "
        f"{chance.randint(1, 12)}:{chance.randint(10, 59)} local time, about "
        f"{chance.randint(12, 240)} km from {other}.",
        "There were no immediate reports of damage or casualties.",
        f"It was felt in {other} and several nearby towns, residents told local radio.",
        "No tsunami warning was issued after the tremor, according to the warning centre.",
        f"The region lies on an active fault where {chance.randint(3, 40)} quakes were recorded "
        f"last year.",
    ]


def _lottery(chance: random.Random) -> list[str]:
    day, month = chance.choice(_DAYS), chance.choice(_MONTHS)
    numbers = ", ".join(str(chance.randint(1, 69)) for _ in range(5))
    return [
        f"The winning numbers for the {day}, {month} {chance.randint(1, 30)} drawing were {numbers}"
        f" and the bonus ball was {chance.randint(1, 26)}.",
        f"The estimated jackpot was ${chance.randint(20, 900)} million with a cash option of "
        f"${chance.randint(10, 400)} million.",
        f"There were {chance.randint(0, 3)} tickets matching all six numbers, the lottery said.",
        f"The next drawing will be held on {chance.choice(_DAYS)} with a jackpot of "
        f"${chance.randint(20, 900)} million.",
        "Tickets can be bought in person at petrol stations, convenience stores and grocery shops.",
        "The odds of winning the jackpot are one in 292 million, according to the lottery.",
    ]


def _market(chance: random.Random) -> list[str]:
    up = chance.sample(_FIRMS, 4)
    return [
        f"The benchmark index closed at {chance.randint(18000, 26000)}, up {chance.randint(1, 300)} "
        f"points on {chance.choice(_DAYS)}, led by {up[0]} and {up[1]}.",
        f"{up[2]} was the top loser of the session, falling {chance.randint(10, 60) / 10} per cent, "
        f"while {up[3]} slipped {chance.randint(10, 40) / 10} per cent.",
        f"The broader market saw {chance.randint(900, 2400)} shares advance and "
        f"{chance.randint(700, 2200)} decline on the exchange.",
        f"The rupee settled at {chance.randint(7000, 9000) / 100} against the dollar.",
        f"Foreign investors bought shares worth {chance.randint(100, 4000)} crore, exchange data "
        f"showed.",
        f"Brent crude traded at ${chance.randint(50, 110)} a barrel in the afternoon session.",
    ]


def _readout(chance: random.Random) -> list[str]:
    year, person, place = chance.randint(2015, 2025), chance.choice(_PEOPLE), chance.choice(_PLACES)
    return [
        f"Premier {person} attended the opening ceremony of the {year} World Forum on Shared "
        f"Growth in {place} on {chance.choice(_MONTHS)} {chance.randint(1, 28)} and delivered a "
        f"keynote speech.",
        f"About {chance.randint(300, 2000)} representatives from {chance.randint(20, 90)} countries "
        f"and international organizations attended the ceremony.",
        f"The premier noted that since {year - 1} the country has deepened reform and opened wider "
        f"to the world.",
        f"{person} put forward {chance.choice(('three', 'four', 'five'))} proposals on cooperation,"
        f" trade and green development.",
        f"Before the ceremony {person} met with {chance.choice(_PEOPLE)} and visited the "
        f"exhibition of {chance.choice(_FIRMS)}.",
        "The guests spoke highly of the progress made and looked forward to closer exchanges.",
    ]


def _match_report(chance: random.Random) -> list[str]:
    home, away = chance.sample(_PLACES, 2)
    return [
        f"{home} beat {away} {chance.randint(2, 6)}-{chance.randint(0, 1)} on "
        f"{chance.choice(_DAYS)} to move up to {chance.randint(2, 18)}th in the table.",
        f"{chance.choice(_PEOPLE)} opened the scoring in the {chance.randint(2, 44)}th minute with "
        f"a low shot into the corner.",
        f"{chance.choice(_PEOPLE)} doubled the lead {chance.randint(2, 20)} minutes after the break "
        f"from a free kick.",
        f"The visitors from {away} have now gone {chance.randint(3, 11)} games without a win.",
        f"A crowd of {chance.randint(3000, 42000)} watched the match in heavy rain.",
        f"{home} next travel to {chance.choice(_PLACES)} on {chance.choice(_DAYS)}.",
    ]


def _earnings(chance: random.Random) -> list[str]:
    firm = chance.choice(_FIRMS)
    return [
        f"{firm} reported a net profit of ${chance.randint(20, 900)} million for the quarter ended "
        f"{chance.choice(_MONTHS)} {chance.choice((30, 31))}.",
        f"Revenue rose {chance.randint(2, 40)} per cent to ${chance.randint(200, 9000)} million "
        f"from a year earlier, the company said in a filing.",
        f"Analysts had expected earnings of {chance.randint(10, 300) / 100} dollars a share.",
        f"Chief executive {chance.choice(_PEOPLE)} said demand in {chance.choice(_PLACES)} remained "
        f"strong.",
        f"Shares of {firm} closed at ${chance.randint(10, 400)} before the results were released.",
        "The board declared a dividend payable to shareholders of record at the end of the month.",
    ]


def _chinese_readout(chance: random.Random) -> list[str]:
    year = chance.randint(2012, 2025)
    digits = str(year)
    return [
        f"{chance.randint(1, 12)}月{chance.randint(1, 28)}日，国务院总理在{chance.choice('沪京粤蓉杭')}市出席"
        f"{digits}年世界数字发展大会开幕式，并发表致辞。",
        f"来自{chance.randint(20, 90)}个国家和国际组织的{chance.randint(300, 2000)}余名代表参加了开幕式。",
        f"总理指出，{year - 1}年以来，我国数字经济保持良好发展势头，为世界经济增长作出了积极贡献。",
        f"总理强调，要坚持开放合作，推动技术成果共享，让各国人民都能受益，并提出{chance.choice('三四五')}点建议。",
        f"开幕式前，总理会见了第{chance.randint(3, 14)}届大会的主要嘉宾，并参观了展览。",
        "与会嘉宾高度评价大会的成果，表示愿与各方加强交流合作，共同推动数字技术造福人类。",
    ]


TEMPLATES: tuple[Template, ...] = (
    _quake,
    _lottery,
    _market,
    _readout,
    _match_report,
    _earnings,
    _chinese_readout,
)
