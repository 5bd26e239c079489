// 发布前检查：年报送 /v1/check，标出单元格和语句，列出问题。见 README.md。
window.gongkai = (() => {
	const WORDS = {ERROR: '必须整改', WARNING: '建议整改', REVIEW: '请核实', INFO: '提示'}
	const weight = f => Object.keys(WORDS).indexOf(f.severity)

	// 语句、疑点单元格或全部单元格
	function places({source, operands = [], cause}) {
		if (source) return [source]
		const isCause = f => cause === f.concept + (f.applicant ? `[${f.applicant}]` : '')
		const suspect = operands.filter(isCause)
		return (suspect.length ? suspect : operands).map(f => f.source || {})
	}

	function marked(html, findings) {
		const units = [0], marks = {}, cuts = []
		for (const c of html) units.push(units[units.length - 1] + c.length)
		for (const f of findings) for (const {start, end} of places(f)) {
			const mark = (at, to) => {
				marks[at] = marks[at] || {to, level: f.severity, say: []}
				marks[at].say.push(f.message)
			}
			if (start === undefined) continue
			const at = units[start], parts = /<[^>]*>|[^<]+/g, text = html.slice(at, units[end])
			const cell = Math.max(html.lastIndexOf('<td', at), html.lastIndexOf('<th', at))
			if (!f.source && cell >= 0) mark(cell + 3)
			else for (let part; (part = parts.exec(text));) {
				if (/^\s*[^<\s]/.test(part)) mark(at + part.index, at + parts.lastIndex)
			}
		}
		for (const [at, {to, level, say}] of Object.entries(marks)) {
			const text = say.join('\n').replace(/[&"<]/g, c => `&#${c.charCodeAt()};`)
			const said = ` data-gk="${level}" data-gk-say="${text}"`
			cuts.push([at, to ? `<mark${said}>` : said])
			if (to) cuts.push([to, '</mark>'])
		}
		cuts.sort((a, b) => b[0] - a[0] || (a[1] < b[1] ? 1 : -1))
		for (const [at, text] of cuts) html = html.slice(0, at) + text + html.slice(at)
		return html
	}

	// 保存之前调用
	function clear(element) {
		for (const node of element.querySelectorAll('[data-gk]')) {
			delete node.dataset.gk
			delete node.dataset.gkSay
			if (node.localName === 'mark') node.replaceWith(...node.childNodes)
		}
		element.normalize()
	}

	async function check({url, element, list, headers}) {
		clear(element)
		const body = element.innerHTML, row = (level, text) => {
			const item = list.appendChild(document.createElement('li'))
			item.textContent = `${WORDS[level] || '未完成'}：${text}`
		}
		headers = {'Content-Type': 'text/html; charset=utf-8', ...headers}
		const answer = await fetch(url, {method: 'POST', headers, body})
		const line = await answer.json()
		const findings = (line.findings || []).sort((a, b) => weight(a) - weight(b))
		list.textContent = ''
		if (!answer.ok) row('', line.title)
		if (line.rejection) row('ERROR', line.rejection.message)
		for (const part of line.not_checked || []) row('', part.message)
		for (const f of findings) row(f.severity, f.message)
		if (element.innerHTML !== body) row('', '内容已改动')
		else if (findings.length) element.innerHTML = marked(body, findings)
		return line
	}

	return {check, clear}
})()
