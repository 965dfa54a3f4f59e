internal import Digest
internal import Foundation

/// What every page has around it.
enum PageFrame {
    /// A page that is whole in itself: nothing is loaded, nothing runs.
    static func standalone(_ title: String, _ body: HTML) -> HTML {
        """
        <!doctype html>
        <html lang="en"><head><meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <title>\(title)</title>
        <style>\(style)</style></head>
        <body><main><h1>\(title)</h1>
        \(body)
        </main></body></html>

        """
    }

    /// A page of `jobs serve`.
    static func served(_ title: String, _ body: HTML) -> HTML {
        """
        <!doctype html>
        <html lang="en"><head><meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <title>\(title) - MeterFlow</title>
        <link rel="stylesheet" href="/style.css?\(styleVersion)"></head>
        <body><a class="skip" href="#main">To the contents</a>
        <header><nav aria-label="Main">
        <a href="/">Billing</a> <a href="/anomalies">Anomalies</a> <a href="/runs">Runs</a>
        </nav></header>
        <main id="main" tabindex="-1"><h1>\(title)</h1>
        \(body)
        </main></body></html>

        """
    }

    static func message(_ title: String, _ text: String) -> HTML {
        served(title, "<p role=\"status\">\(text)</p>")
    }

    /// A form with one button, that asks for a reason.
    ///
    /// - Parameter token: `PageAccess.token`.
    static func form(_ action: String, _ label: String, id: String, token: String) -> HTML {
        """
        <form method="post" action="\(action)">
        <input type="hidden" name="token" value="\(token)">
        <label for="\(id)">Reason</label>
        <input id="\(id)" name="reason" required maxlength="300" autocomplete="off">
        <button>\(label)</button>
        </form>

        """
    }

    static func link(_ text: String, _ path: String...) -> HTML {
        "<a href=\"\(address(path))\">\(text)</a>"
    }

    /// A path of parts, each of them any text.
    static func address(_ path: [String], _ query: [(String, String?)] = []) -> String {
        let pairs = query.compactMap { name, value in value.map { "\(name)=\(encoded($0))" } }
        return "/" + path.map(encoded).joined(separator: "/")
            + (pairs.isEmpty ? "" : "?" + pairs.joined(separator: "&"))
    }

    private static func encoded(_ text: String) -> String {
        // Of RFC 3986; what CharacterSet calls alphanumeric are more than those of ASCII.
        let unreserved = CharacterSet(
            charactersIn: "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~")
        return text.addingPercentEncoding(withAllowedCharacters: unreserved) ?? ""
    }

    /// Browsers keep the style; this makes them ask for another one.
    private static let styleVersion = SHA256.hex(Array(style.text.utf8)).prefix(12)

    /// Colours have a contrast of 4.5 to 1 at least, on white and on black.
    static let style: HTML = """
        :root{color-scheme:light dark;--line:#8886;--accent:#0b57d0;--bad:#b00020;--band:#cfe3f7;--weak:#9bc;--ink:#234}
        @media(prefers-color-scheme:dark){:root{--accent:#8ab4f8;--bad:#ff8a80;--band:#24445f;--weak:#678;--ink:#def}}
        body{font:1rem/1.5 system-ui,sans-serif;max-width:70rem;margin:0 auto;padding:0 1rem 3rem}
        a{color:var(--accent)}[aria-current]{font-weight:600;text-decoration:none}:focus-visible{outline:3px solid var(--accent);outline-offset:2px}
        nav{display:flex;flex-wrap:wrap;gap:.25rem 1.5rem}nav a{padding:.6rem 0}
        header{border-bottom:1px solid var(--line)}
        .skip{position:absolute;left:-100rem}.skip:focus{left:1rem}
        .scroll{overflow-x:auto;margin:.5rem 0 1.5rem}table{border-collapse:collapse;width:100%}
        caption{text-align:left}h2{font-size:1.15rem;margin:.75rem 0 .25rem}time{white-space:nowrap}
        h1,p,li{overflow-wrap:anywhere}
        th,td{padding:.3rem .75rem .3rem 0;border-bottom:1px solid var(--line);text-align:left;vertical-align:top}
        .n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}.bad{color:var(--bad)}
        dl{display:grid;grid-template-columns:max-content 1fr;gap:.1rem 1.5rem}dd{margin:0;overflow-wrap:anywhere}
        form{display:flex;flex-wrap:wrap;gap:.5rem;align-items:center;margin:.75rem 0}
        input,select,button{font:inherit;padding:.4rem .6rem;min-height:2.75rem;box-sizing:border-box;max-width:100%}
        progress{width:100%;height:1.25rem}
        svg{width:100%;height:auto;min-width:36rem}svg text{font-size:11px;fill:currentColor}
        .band{fill:var(--band)}.seen{fill:none;stroke:var(--ink);stroke-width:1.5}.flag{fill:var(--bad)}
        .bar,.weekday{fill:var(--weak)}.now,.day{fill:var(--ink)}
        @media print{body{margin:0;max-width:none}header,form{display:none}}
        """
}
