"""User agents of real handsets and the platform of each."""

WEBKIT = "AppleWebKit/605.1.15 (KHTML, like Gecko)"


BLINK = "AppleWebKit/537.36 (KHTML, like Gecko)"


MAC = f"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) {WEBKIT}"


JIOPHONE = (
    "Mozilla/5.0 (Mobile; LYF/F320B/LYF-F320B-003-01-69-130220-i;Android; rv:48.0) Gecko/48.0 Firefox/48.0 KAIOS/2.5"
)


OPERA_MINI = (
    "Opera/9.80 (J2ME/MIDP; Opera Mini/9.80 (S60; SymbOS; Opera Mobi/23.348; U; en) Presto/2.5.25 Version/10.54"
)


BROWSERS = [
    ("kaios", "JioPhone", JIOPHONE),
    ("kaios", "JioPhone 2", "Mozilla/5.0 (Mobile; LYF/F300B/LYF-F300B-001-01-15-130718-i;Android; rv:48.0) Gecko/48.0 Firefox/48.0 KAIOS/2.5.1"),
    ("kaios", "Nokia 8110 4G", "Mozilla/5.0 (Mobile; Nokia_8110_4G; rv:48.0) Gecko/48.0 Firefox/48.0 KAIOS/2.5"),
    ("kaios", "Nokia 2780 Flip", "Mozilla/5.0 (Mobile; Nokia_2780_Flip; rv:84.0) Gecko/84.0 Firefox/84.0 KAIOS/3.1"),
    ("kaios", "Opera Mini on KaiOS", "Opera/9.80 (KaiOS; Opera Mini/1.0/191.227; U; en) Presto/2.12.423 Version/12.16"),
    ("android", "Chrome, reduced", f"Mozilla/5.0 (Linux; Android 10; K) {BLINK} Chrome/124.0.0.0 Mobile Safari/537.36"),
    ("android", "Samsung Internet", f"Mozilla/5.0 (Linux; Android 13; SAMSUNG SM-A135F) {BLINK} SamsungBrowser/23.0 Chrome/115.0.0.0 Mobile Safari/537.36"),
    ("android", "Firefox", "Mozilla/5.0 (Android 13; Mobile; rv:124.0) Gecko/124.0 Firefox/124.0"),
    ("android", "an old one", "Mozilla/5.0 (Linux; U; Android 4.4.2; bn-bd; Symphony W68) AppleWebKit/534.30 (KHTML, like Gecko) Version/4.0 Mobile Safari/534.30"),
    ("android", "Opera Mini", "Opera/9.80 (Android; Opera Mini/36.2.2254/119.132; U; en) Presto/2.12.423 Version/12.16"),
    ("android", "UC Browser", "UCWEB/2.0 (MIDP-2.0; U; Adr 4.4.2; en-US; GT-S7262) U2/1.0.0 UCBrowser/10.7.6.805 U2/1.0.0 Mobile"),
    ("ios", "iPhone", f"Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) {WEBKIT} Version/17.4 Mobile/15E148 Safari/604.1"),
    ("ios", "iPad that says so", f"Mozilla/5.0 (iPad; CPU OS 12_5_7 like Mac OS X) {WEBKIT} Version/12.1.2 Mobile/15E148 Safari/604.1"),
    ("ios", "Chrome on an iPad that says it is a Mac", f"{MAC} CriOS/122 Version/11.1.1 Safari/605.1.15"),
    ("ios", "Firefox on an iPad that says it is a Mac", f"{MAC} FxiOS/124.0 Safari/605.1.15"),
    ("ios", "an app's own browser on such an iPad", f"{MAC} Version/17.4 Mobile/15E148 Safari/605.1.15"),
    ("apple", "Safari on a Mac, or on such an iPad", f"{MAC} Version/17.4 Safari/605.1.15"),
    ("other", "Chrome on a Mac", f"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) {BLINK} Chrome/124.0.0.0 Safari/537.36"),
    ("other", "Firefox on a Mac", "Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:124.0) Gecko/20100101 Firefox/124.0"),
    ("other", "Chrome on Windows", f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {BLINK} Chrome/124.0.0.0 Safari/537.36"),
    ("other", "Firefox on Linux", "Mozilla/5.0 (X11; Linux x86_64; rv:124.0) Gecko/20100101 Firefox/124.0"),
    ("other", "Windows Phone, which names all the others", f"Mozilla/5.0 (Windows Phone 10.0; Android 6.0.1; Microsoft; Lumia 950) {BLINK} Chrome/52.0.2743.116 Mobile Safari/537.36 Edge/15.14977"),
    ("other", "Firefox OS", "Mozilla/5.0 (Mobile; rv:26.0) Gecko/26.0 Firefox/26.0"),
    ("other", "Opera Mini on a feature phone", OPERA_MINI),
    ("other", "UC Browser on a feature phone", "UCWEB/2.0 (Java; U; MIDP-2.0; en-US; nokia5130c-2) U2/1.0.0 UCBrowser/9.4.1.482 U2/1.0.0 Mobile UNTRUSTED/1.0"),
    ("other", "a feature phone's own", "Nokia5130c-2/2.0 (07.97) Profile/MIDP-2.1 Configuration/CLDC-1.1"),
    ("other", "curl", "curl/8.0.1"),
    ("other", "nothing", ""),
]  # fmt: skip
