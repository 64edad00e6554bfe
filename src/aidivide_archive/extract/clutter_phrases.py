"""Whole-line clutter phrases in the main languages, by name, with the most words a line may have.

Data, not code: a phrase belongs here when it never stands alone in the body of an article. Written
from the interface texts of content systems and outlets; the golden pages guard each group.
"""

from __future__ import annotations

import re


def _any(*alternatives: str) -> re.Pattern[str]:
    return re.compile("(?:" + "|".join(alternatives) + ")", re.IGNORECASE)


CAPTION = re.compile(
    r"[\[(（【](?:(?:file )?(?:photos?|pictures?|images?)\s?(?:/|:|by |provided (?:to|by) |credits?[: ]|courtesy of |from )"
    r"|图(?:片)?\s?(?:/|:|：|来源)|摄影?\s?[/:：]).{1,60}[\])）】]$",
    re.IGNORECASE,
)
"""The end of a picture's caption that stands among the paragraphs."""

PHRASES: tuple[tuple[str, int, re.Pattern[str]], ...] = (
    ("advert", 8, _any(
        r"advert(?:isement|ising|orial)?s?", r"(?:story|article) continues below(?: (?:this )?ad\w*)?",
        r"(?:article|story|report) continues after(?: (?:this )?ad\w*)?", r"continue reading below",
        r"sponsored(?: content| by .{1,40})?", r"promoted(?: content)?", r"anzeige", r"werbung",
        r"publicité", r"publicidad(?:e)?", r"pubblicità", r"advertentie", r"annons", r"reklam[ae]?",
        r"(?:zur )?anzeige .{0,40}", r"广告", r"廣告", r"реклама", r"إعلان", r"iklan", r"広告", r"광고",
    )),
    ("share", 14, _any(
        r"share(?: this(?: (?:article|story|page|post|link|with .{1,20}))?| on .{1,30}| - .{1,20}| via .{1,20})?",
        r"(?:like this story\W+)?share (?:it|this).{0,60}", r"(?:share|send|print|email|save)(?:\W+(?:share|send|print|e-?mail|save|tweet|copy link))+",
        r"send this page to .{0,40}", r"partager(?: .{0,40})?", r"compartir(?: .{0,40})?", r"compartilh(?:ar|e)(?: .{0,40})?",
        r"condividi(?: .{0,40})?", r"teilen", r"artikel teilen", r"delen", r"поделиться(?: .{0,30})?", r"分享(?:到.{0,10}|至.{0,10})?",
        r"\d*\s*分享(?:至|到)?", r"(?:facebook|twitter|whatsapp|telegram|linkedin|pinterest|reddit|e-?mail|mail|print|copy link|copy|weixin|weibo|qqzone|wechat|微信|微博|朋友圈|x|line|qq空间|qq好友|drucken|imprimer|imprimir|link kopieren)(?:[\s,|/·•]+(?:facebook|twitter|whatsapp|telegram|linkedin|pinterest|reddit|e-?mail|mail|print|copy link|copy|weixin|weibo|qqzone|wechat|微信|微博|朋友圈|x|line|qq空间|qq好友|drucken|imprimer|imprimir|link kopieren|share|teilen))*",
        r"点击右上角.{0,60}", r"请使用浏览器分享功能.{0,30}", r"شارك.{0,30}", r"paylaş", r"bagikan(?: .{0,30})?",
    )),
    ("follow", 16, _any(
        r"follow (?:us|topic|me|this topic|.{1,30} on (?:twitter|facebook|instagram|google news|x|social media|whatsapp|telegram|linkedin|flipboard)).{0,60}",
        r"(?:find|like|join) us on .{1,40}", r"add us on .{1,40}", r".{1,30} add us on .{1,60}", r"folgen sie uns.{0,60}", r"suivez[- ]nous.{0,60}",
        r"síguenos.{0,60}", r"siga-nos.{0,60}", r"seguici.{0,60}", r"关注我们.{0,20}", r"подписывайтесь на .{0,60}", r"تابعنا.{0,30}",
        r"contact us", r"follow us", r"email alerts?",
    )),
    ("newsletter", 34, _any(
        r"(?:sign|signed) up (?:now|here|today|for|to).{0,200}", r"subscribe(?: (?:now|today|here|to .{1,120}|for .{1,80}))?",
        r"(?:click here to |please )subscribe.{0,120}", r"get .{0,60}(?:delivered|sent|straight) .{0,40}(?:inbox|e-?mail).{0,40}",
        r"(?:our|the|a) (?:free )?(?:daily |weekly )?newsletters?.{0,80}", r"newsletters?", r".{0,60}(?:in|to) your inbox",
        r"already a subscriber.{0,40}", r"jetzt (?:newsletter )?abonnieren.{0,80}", r"(?:inscrivez|abonnez)-vous .{0,120}",
        r"suscr[ií]bete .{0,120}", r"(?:assine|inscreva-se) .{0,100}", r"iscriviti .{0,100}", r"подпишитесь .{0,100}", r"订阅.{0,20}",
        r"thanks for subscribing.{0,60}", r"thank you for subscribing.{0,60}", r"you (?:are|have) (?:now )?(?:been )?subscribed.{0,60}",
    )),
    ("related", 30, _any(
        r"related(?: (?:articles?|stories|posts?|content|topics?|news|coverage|reading|links?))?", r"related ?[:：].{1,180}",
        r"(?:read|see|watch) (?:also|more|next|full article|the full story|on)(?: ?[:：\-|].{0,180})?", r"more (?:on this|from .{1,40}|stories|news|like this).{0,60}",
        r"(?:recommended|popular|trending|most read|top stories|latest news|editor'?s picks?|you (?:may|might) (?:also )?like)(?: (?:stories|articles|for you|now|reading))?.{0,30}",
        r"read (?:this )?next ?[:：]?.{0,150}", r"next (?:post|article|story|up)(?: ?[:：].{0,150})?", r"previous (?:post|article|story)(?: ?[:：].{0,150})?", r"don'?t miss ?[:：]?.{0,100}",
        r"(?:lesen|sehen) sie (?:auch|hier|dazu).{0,160}", r"(?:mehr zum thema|lesetipps?|auch interessant|mehr dazu)(?: ?[:：].{0,160})?", r"(?:lire|voir) aussi.{0,160}", r"à lire(?: aussi)?.{0,160}",
        r"(?:lea|lee|leer|ver|mira) (?:también|además|más).{0,160}", r"te puede interesar.{0,120}", r"(?:leia|veja) (?:também|mais).{0,160}", r"leggi anche.{0,160}", r"lees ook.{0,160}", r"les også.{0,160}", r"läs (?:också|även|mer).{0,160}",
        r"(?:相关|相關)(?:阅读|新闻|文章|报道|链接|閱讀).{0,60}", r"(?:延伸阅读|猜你喜欢|推荐阅读|热门推荐|今日推荐|为您推荐).{0,40}", r"(?:上一篇|下一篇|上一页|下一页|点击.{0,4}上一篇).{0,80}", r"читайте (?:также|ещ[её]).{0,160}", r"(?:по теме|похожие новости).{0,60}", r"اقرأ (?:أيض|المزيد).{0,120}", r"continua qui", r"source link", r"baca juga.{0,160}", r"関連記事.{0,60}",
    )),
    ("copyright", 40, _any(
        r"(?:©|\(c\)).{0,220}", r"copyright\W{0,4}(?:©|\(c\)|(?:19|20)\d\d|by\b|reserved|notice).{0,200}", r".{0,60}(?:©|copyright) ?(?:19|20)\d\d.{0,160}", r".{0,100}all rights reserved.{0,120}", r"alle rechte vorbehalten.{0,80}", r"tous droits réservés.{0,80}", r"todos los derechos reservados.{0,80}", r"todos os direitos reservados.{0,80}",
        r"版权所有.{0,80}", r"(?:未经|转载请|本网站|免责声明).{0,100}", r"все права защищены.{0,80}", r"license for publishing .{0,80}", r"registration number\W.{0,40}", r".{0,20}(?:icp备|公网安备|许可证).{0,60}", r"this material may not be published.{0,160}",
    )),
    ("credit", 14, _any(
        r"\(?(?:photo|picture|image|foto|photos|pictures|bild|图|图片|illustration)(?:graph(?:er)?)?s? ?(?:credits?|by|courtesy of|provided to|source|:|：|/|来源).{0,90}", r"photo provided to .{1,40}", r"photo/\w.{0,40}",
        r".{1,50}(?:via )?getty images?(?:/.{0,40})?", r".{1,30}/ ?(?:afp|reuters|ap|epa|xinhua)(?: .{0,30}getty images)?", r"toggle caption", r"hide caption", r".{0,120}toggle caption", r"gallery credit.{0,80}", r"image caption,?.{0,20}", r"foto ?[:：].{0,80}",
        r"file (?:photo|image|picture).{0,60}", r"dg_\w+_\d+",
    )),
    ("reading", 10, _any(
        r"(?:reading time|read time|lesezeit|lesedauer|temps de lecture|tiempo de lectura|tempo de leitura|tempo di lettura|czas czytania|阅读时间|время чтения) ?[:：]?.{0,40}", r"(?:estimated )?\d+[ -]?(?:min(?:ute)?s?\.?)(?: de)?(?: read(?:ing)?| lesezeit| lecture| lectura| leitura)(?: time)?.{0,10}", r"min read(?: \d+)*",
        r"\d+ (?:comments?|kommentare?|commentaires?|comentarios?|comentários?|shares?|views?|likes?)", r"(?:no|leave a|post a|add a|show|view|join the|write a) (?:comments?|reply|conversation|discussion).{0,30}", r"comments?(?: \(?\d+\)?)?", r"kommentare?", r"评论(?:\d+|\(\d+\))?", r"发表评论.{0,20}", r"комментари\w+(?: \d+)?", r"how did your country report this.{0,80}",
        r"阅读\W?\d+.{0,10}", r"\d+\s*次?(?:阅读|浏览|点击|评论).{0,10}", r"(?:浏览|点击|阅读)(?:次数|量|数)?\W{0,2}\d*",
    )),
    ("interface", 10, _any(
        r"(?:back to (?:the )?top|to top|top|go to top|nach oben|zum seitenanfang|haut de page|volver arriba|返回顶部|回到顶部|наверх)", r"skip to (?:main )?(?:content|navigation).{0,20}", r"menu ?close|close|menu|search|login|log in|sign in|register|home",
        r"no result|view all result", r"select language", r"listen(?: to this article)?(?: \d.{0,10})?", r"play(?: video)?", r"font size.{0,40}", r"a\W?a(?:\W?a)?", r"aa|a-|a\+", r"print(?: this)?(?: article)?", r"loading\w*\.*", r"show more|read more|load more|see more|view more|weiterlesen|mehr anzeigen|mehr lesen|lire la suite|leer más|ver más|leia mais|leggi tutto|ещ[её]|展开全文|查看更多|更多",
        r"click (?:here|to (?:enlarge|expand|view)).{0,30}", r"(?:this )?(?:browser|your browser) .{0,80}support.{0,40}", r"please enable javascript.{0,60}", r"双击自动滚屏|打印|关闭(?:窗口)?|收藏|字号.{0,20}|大中小|繁体|简体|下载客户端.{0,20}|举报|纠错", r"english|bigmediumsmall|global edition.{0,60}", r"follow topic",
        r"loadingimg.{0,10}", r"ai generated, for reference only", r"(?:video|image|photo) (?:player|gallery|slideshow).{0,20}", r"cancel|submit|next|previous|prev|done|ok|yes|no thanks",
        r"see offers?|buy now|shop now|check price|view (?:deal|offer)",
    )),
    ("pages", 8, _any(
        r"(?:page|seite|página|pagina|страница|strona|sida)\W{0,3}\d{1,3}\W{0,3}(?:of|von|de|sur|di|van|z|av|из|/)\W{0,3}\d{1,3}",
        r"第\s*\d{1,3}\s*[页頁](?:\W{0,3}共\s*\d{1,3}\s*[页頁])?", r"共\s*\d{1,3}\s*[页頁](?:\W{0,3}第\s*\d{1,3}\s*[页頁])?",
        r"(?:continue(?: reading)? on|zu|auf)(?: the)? (?:next page|page \d+|seite \d+).{0,10}", r"(?:next|previous|nächste|vorherige) (?:page|seite)", r"page (?:suivante|précédente)", r"(?:view|read|show)(?: this)?(?: article| story)? (?:as|on) (?:a )?(?:single page|one page)",
    )),
    ("breadcrumb", 24, _any(
        r"(?:home|start(?:seite)?|accueil|inicio|início|首页|首頁|网站首页|主页|главная|网易首页|当前位置|您(?:现在)?的位置|you are here)\s?[:：]?\s?(?:[/>»›|·→]|&gt;|-->).{0,180}",
        r"[^.!?。]{1,30}(?:\s(?:>|»|›|&gt;)\s[^.!?。>»›]{1,60}){2,8}",
    )),
    ("editor", 14, _any(
        r"(?:web )?editors? ?[:：].{0,60}", r"责任编辑.{0,40}", r"(?:\(?编辑|小编|值班编辑|校对|审核|编审|监制|主编|责编|作者|来源|稿源|出处)\s?[:：].{0,60}", r"source ?[:：] ?.{1,40}", r"/ source ?[:：].{0,40}", r"来源\W.{0,40}", r"发布时间.{0,60}", r"date ?[:：] ?.{1,30}", r"正在阅读.{0,60}", r"редактор\W.{0,40}",
    )),
    ("date", 14, _any(
        r"(?:(?:first|last|originally) )?(?:published|posted|updated|modified|created|veröffentlicht|aktualisiert|erschienen|stand|publié|mis à jour|publicado|actualizado|atualizado|pubblicato|aggiornato|发布(?:时间)?|更新(?:时间|于)?|опубликовано|обновлено)\b.{0,60}(?:19|20)\d\d.{0,40}",
        r"(?:19|20)\d\d[-/.年]\d{1,2}[-/.月]\d{1,2}日?(?:\s+\d{1,2}[:：]\d\d(?:[:：]\d\d)?)?",
        r"\d{1,2}[./]\d{1,2}[./](?:19|20)\d\d(?:[\s,|–-]+\d{1,2}[:.]\d\d(?: uhr)?)?",
    )),
    ("notice", 60, _any(
        r"the post .{1,200} appeared first on .{1,60}", r"\(?this (?:story|article) (?:has not been edited by|was (?:originally|first) published (?:on|in|by)|is (?:auto-generated|published) from|originally appeared).{0,200}", r"you'?ve accessed an article available only to.{0,80}", r"this article is (?:more than|over) .{0,40}old", r"(?:dieser|der) artikel .{0,60}(?:kostenpflichtig|plus-inhalt|abonnenten).{0,60}",
        r"(?:we may earn|when you (?:buy|purchase)|if you (?:buy|purchase|click)|.{0,40}affiliate (?:links?|commission)).{0,200}", r"文章源自.{0,120}", r"your (?:email address will not be published|email has been).{0,80}", r"thanks for contacting us.{0,60}", r"(?:there was an |an )?(?:error|problem) (?:occurred|submitting|processing).{0,60}", r"oops!? ?something went wrong.{0,60}", r"please try again later.{0,20}", r"please log in.{0,120}",
        r"window\..{0,240}", r"\{.{0,240}\}", r"この記事は会員限定.{0,40}", r"has your .{0,40}inbox.{0,40}", r"with nbc \d+, you can watch.{0,160}", r"share your view in the comments.{0,40}", r"read full article",
    )),
)  # fmt: skip
