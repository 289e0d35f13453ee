import { createHash } from 'node:crypto'

/**
 * The one stylesheet of every document, the same bytes in all of them, so that a policy can allow it
 * by its hash. No addresses, no imports; colours by custom properties, dark only on screens.
 */
export const stylesheet = `
:root{--g:#fff;--ink:#1A1A18;--meta:#55534D;--a:#174A84;--note:#F5F2EB;--bar:#8C1D18;--line:#D8D3C8;--f:#174A84;--n:#B07A14;--m:#6B2A6E;--s1:#E3EDF6;--s2:#B9D2E8;--s3:#6C9CC7;--s4:#1F5386;--t4:#fff;--sans:13px/20px system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif}
@media screen and (prefers-color-scheme:dark){:root{color-scheme:dark;--g:#16171A;--ink:#ECE9E2;--meta:#B0ACA3;--a:#9CC4F2;--note:#202226;--bar:#F08A80;--line:#3A3C42;--f:#9CC4F2;--n:#D9A546;--m:#D69BD9;--s1:#1C2A3A;--s2:#24425F;--s3:#3D6E9C;--s4:#9CC4F2;--t4:#16171A}}
html{background:var(--g);color:var(--ink);-webkit-text-size-adjust:100%;scroll-padding-top:24px}
body{margin:0;border-top:6px solid var(--bar);font:17px/27px Charter,"Bitstream Charter","Iowan Old Style",Georgia,serif;overflow-wrap:break-word}
header,main,footer{max-width:44rem;margin:0 auto;padding:0 20px}
header{padding-top:36px}
footer{padding-bottom:64px}
section{margin-top:44px}
section section{margin-top:28px}
h1{font-size:34px;line-height:40px;font-weight:600;margin:4px 0 6px}
h2{font-size:21px;line-height:28px;font-weight:600;margin:0 0 12px}
p{margin:0 0 12px}
a{color:var(--a);text-underline-offset:2px}
ol,ul{margin:0;padding:0;list-style:none}
cite{font-style:normal}
.over,.meta,.tag,.count,figcaption,table,caption,dl{font:var(--sans);color:var(--meta)}
.over,.mark{letter-spacing:.02em}
.over{font-size:14px;margin:0}
.period b{font-weight:600;margin-right:10px}
.mark b{display:inline-block;border:2px solid var(--bar);color:var(--bar);padding:1px 8px;margin-right:8px;font:600 13px/20px system-ui,sans-serif;letter-spacing:.06em}
.meta{font-size:14px;line-height:21px}
.brief{background:var(--note);padding:20px 24px 22px;margin-top:28px}
.brief h2{margin-bottom:8px}
.brief li+li{margin-top:8px}
.brief .meta{margin:12px 0 0}
.skip{position:absolute;left:-999px;background:var(--g);padding:4px 10px}
.skip:focus{left:12px;top:12px}
.scroll{overflow-x:auto;max-width:100%}
table{border-collapse:collapse;min-width:60%;font-variant-numeric:tabular-nums;color:var(--ink)}
caption{text-align:left;padding-bottom:8px}
caption span{display:block;position:sticky;left:0;width:min(42rem,100vw - 40px)}
th,td{padding:5px 7px;border-bottom:1px solid var(--line);text-align:right;font-weight:400;min-width:2em}
thead th{vertical-align:bottom;color:var(--meta)}
th:first-child{text-align:left;padding-left:0;min-width:9em;position:sticky;left:0;background:var(--g)}
table+p,.scroll+p{margin-top:10px}
thead th{max-width:8em}
th i{display:block;font-style:normal;color:var(--meta)}
.sum,tfoot td,tfoot th{font-weight:600}
.s1{background:var(--s1)}.s2{background:var(--s2)}.s3{background:var(--s3)}.s4{background:var(--s4);color:var(--t4)}
figure{margin:0}
svg{display:block;width:100%;min-width:560px;height:auto;font:14px system-ui,-apple-system,"Segoe UI",Roboto,Arial,sans-serif}
svg text{fill:var(--ink)}
.f{fill:var(--f)}.n{stroke:var(--n)}.m{stroke:var(--m)}.e{stroke:var(--meta)}
figcaption{margin-top:8px}
.k{display:inline-block;width:9px;height:9px;margin-right:6px;border:2px solid var(--f);background:var(--f)}
.kn{border-color:var(--n);background:repeating-linear-gradient(135deg,var(--n) 0 2px,var(--g) 2px 4px)}
.km{border-color:var(--m);background:0 0}
.ke{border:1px solid var(--meta);background:0 0}
.items li{margin-bottom:20px}
.items p{margin:0}
h3,h4,h5,h6{font-size:18px;line-height:26px;font-weight:600;margin:0 0 2px}
.items .steps,.items .ticks{margin:4px 0 8px;padding-left:1.5em}
.steps{list-style:decimal}.ticks{list-style:"☐ "}
.items .steps li,.items .ticks li{margin:0 0 4px}
.tag b{font-weight:600;color:var(--ink)}
mark{background:0 0;border:1px solid var(--bar);color:var(--bar);padding:0 5px;font:600 13px/18px system-ui,sans-serif;letter-spacing:.04em}
:target{outline:2px solid var(--a);outline-offset:5px}
.sources{counter-reset:s}
.sources li{position:relative;padding-left:2.3em;margin-bottom:10px;font-size:16px;line-height:24px}
.sources li::before{counter-increment:s;content:counter(s) ".";position:absolute;left:0;color:var(--meta)}
.sources .meta{display:block;font:var(--sans)}
dl{display:grid;grid-template-columns:max-content 1fr;gap:4px 16px;margin:0}
dt{color:var(--meta)}
dd{margin:0;color:var(--ink);min-width:0}
dl+p{margin-top:16px}
code{font:13px/20px ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;user-select:all}
.test::before{content:"TEST RUN";position:fixed;inset:0;display:grid;place-items:center;font:700 15vw/1 system-ui,sans-serif;color:var(--bar);opacity:.09;transform:rotate(-24deg);z-index:-1;white-space:nowrap}
@media (max-width:30rem){h1{font-size:28px;line-height:34px}.brief{margin-left:-20px;margin-right:-20px;padding:18px 20px}dl{display:block}dd{margin-bottom:8px}}
html{--run:attr(data-run)}
@page{margin:18mm;@bottom-left{content:var(--run);font:9pt system-ui,sans-serif;color:#55534D}@bottom-right{content:counter(page) " / " counter(pages);font:9pt system-ui,sans-serif;color:#55534D}}
@media print{body{border:0;font-size:10.5pt;line-height:15pt;orphans:3;widows:3}header,main,footer{max-width:none;padding:0}header{border-top:6px solid var(--bar);padding-top:14pt}.skip,.back{display:none}tfoot{display:table-row-group}th,td{padding:2pt 6pt}h1{font-size:22pt;line-height:26pt}section{margin-top:22pt}h2,h3,h4,h5,h6,caption,.count{break-after:avoid}.brief,.items li,.sources li,figure,tr,dl{break-inside:avoid}.scroll{overflow:visible}svg{min-width:0}th:first-child{position:static}.sources li,.meta{font-size:9.5pt;line-height:13pt}.sources .meta{font-size:8.5pt;line-height:12pt}.sources a::after{content:" (" attr(href) ")";overflow-wrap:anywhere}.s1,.s2,.s3,.s4,.k,svg{-webkit-print-color-adjust:exact;print-color-adjust:exact}a{color:inherit}}
`

/** The source expression that lets a Content-Security-Policy allow the stylesheet: `sha256-…`. */
export const stylesheetHash = `sha256-${createHash('sha256').update(stylesheet).digest('base64')}`
