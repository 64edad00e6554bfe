"""English names of countries (ISO 3166-1) and languages (ISO 639-1), the short forms that newspapers use."""

from __future__ import annotations

_COUNTRIES = """
AD Andorra;AE United Arab Emirates;AF Afghanistan;AG Antigua and Barbuda;AL Albania;AM Armenia;AO Angola;AR Argentina;
AT Austria;AU Australia;AZ Azerbaijan;BA Bosnia and Herzegovina;BB Barbados;BD Bangladesh;BE Belgium;BF Burkina Faso;
BG Bulgaria;BH Bahrain;BI Burundi;BJ Benin;BN Brunei;BO Bolivia;BR Brazil;BS Bahamas;BT Bhutan;BW Botswana;BY Belarus;
BZ Belize;CA Canada;CD DR Congo;CF Central African Republic;CG Congo;CH Switzerland;CI Côte d’Ivoire;CL Chile;
CM Cameroon;CN China;CO Colombia;CR Costa Rica;CU Cuba;CV Cabo Verde;CY Cyprus;CZ Czechia;DE Germany;DJ Djibouti;
DK Denmark;DM Dominica;DO Dominican Republic;DZ Algeria;EC Ecuador;EE Estonia;EG Egypt;ER Eritrea;ES Spain;ET Ethiopia;
FI Finland;FJ Fiji;FR France;GA Gabon;GB United Kingdom;GD Grenada;GE Georgia;GH Ghana;GM Gambia;GN Guinea;
GQ Equatorial Guinea;GR Greece;GT Guatemala;GW Guinea-Bissau;GY Guyana;HK Hong Kong;HN Honduras;HR Croatia;HT Haiti;
HU Hungary;ID Indonesia;IE Ireland;IL Israel;IN India;IQ Iraq;IR Iran;IS Iceland;IT Italy;JM Jamaica;JO Jordan;JP Japan;
KE Kenya;KG Kyrgyzstan;KH Cambodia;KM Comoros;KP North Korea;KR South Korea;KW Kuwait;KZ Kazakhstan;LA Laos;LB Lebanon;
LC Saint Lucia;LI Liechtenstein;LK Sri Lanka;LR Liberia;LS Lesotho;LT Lithuania;LU Luxembourg;LV Latvia;LY Libya;
MA Morocco;MC Monaco;MD Moldova;ME Montenegro;MG Madagascar;MK North Macedonia;ML Mali;MM Myanmar;MN Mongolia;MO Macao;
MR Mauritania;MT Malta;MU Mauritius;MV Maldives;MW Malawi;MX Mexico;MY Malaysia;MZ Mozambique;NA Namibia;NE Niger;
NG Nigeria;NI Nicaragua;NL Netherlands;NO Norway;NP Nepal;NZ New Zealand;OM Oman;PA Panama;PE Peru;PG Papua New Guinea;
PH Philippines;PK Pakistan;PL Poland;PR Puerto Rico;PS Palestine;PT Portugal;PY Paraguay;QA Qatar;RO Romania;RS Serbia;
RU Russia;RW Rwanda;SA Saudi Arabia;SB Solomon Islands;SC Seychelles;SD Sudan;SE Sweden;SG Singapore;SI Slovenia;
SK Slovakia;SL Sierra Leone;SM San Marino;SN Senegal;SO Somalia;SR Suriname;SS South Sudan;ST São Tomé and Príncipe;
SV El Salvador;SY Syria;SZ Eswatini;TD Chad;TG Togo;TH Thailand;TJ Tajikistan;TL Timor-Leste;TM Turkmenistan;TN Tunisia;
TO Tonga;TR Turkey;TT Trinidad and Tobago;TW Taiwan;TZ Tanzania;UA Ukraine;UG Uganda;US United States;UY Uruguay;
UZ Uzbekistan;VA Vatican;VE Venezuela;VN Vietnam;VU Vanuatu;WS Samoa;XK Kosovo;YE Yemen;ZA South Africa;ZM Zambia;
ZW Zimbabwe
"""
_LANGUAGES = """
af Afrikaans;am Amharic;ar Arabic;az Azerbaijani;be Belarusian;bg Bulgarian;bn Bengali;bs Bosnian;ca Catalan;cs Czech;
cy Welsh;da Danish;de German;el Greek;en English;eo Esperanto;es Spanish;et Estonian;eu Basque;fa Persian;fi Finnish;
fr French;ga Irish;gl Galician;gu Gujarati;ha Hausa;he Hebrew;hi Hindi;hr Croatian;hu Hungarian;hy Armenian;
id Indonesian;is Icelandic;it Italian;ja Japanese;ka Georgian;kk Kazakh;km Khmer;kn Kannada;ko Korean;ku Kurdish;
ky Kyrgyz;lo Lao;lt Lithuanian;lv Latvian;mg Malagasy;mk Macedonian;ml Malayalam;mn Mongolian;mr Marathi;ms Malay;
mt Maltese;my Burmese;nb Norwegian;ne Nepali;nl Dutch;nn Norwegian;no Norwegian;pa Punjabi;pl Polish;ps Pashto;
pt Portuguese;ro Romanian;ru Russian;rw Kinyarwanda;si Sinhala;sk Slovak;sl Slovenian;so Somali;sq Albanian;sr Serbian;
sv Swedish;sw Swahili;ta Tamil;te Telugu;tg Tajik;th Thai;tl Filipino;tr Turkish;ug Uyghur;uk Ukrainian;ur Urdu;
uz Uzbek;vi Vietnamese;xh Xhosa;yo Yoruba;zh Chinese;zu Zulu
"""


def _table(text: str) -> dict[str, str]:
    pairs = (item.strip().partition(" ") for item in text.replace("\n", " ").split(";"))
    return {code: name.strip() for code, _, name in pairs}


_COUNTRY_NAMES = _table(_COUNTRIES)
_LANGUAGE_NAMES = _table(_LANGUAGES)


def country_name(code: object) -> str:
    """The name of a country; the code itself when there is none, "not known" without a code."""
    return "not known" if not code else _COUNTRY_NAMES.get(str(code), str(code))


def language_name(code: object) -> str:
    """The name of a language by its primary subtag; the code itself when there is none."""
    if not code:
        return "not known"
    return _LANGUAGE_NAMES.get(str(code).partition("-")[0].lower(), str(code))
