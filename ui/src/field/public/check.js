// Runs before the app, in words that the oldest WebView reads. What is missing is named on the page.
;(function () {
  var needed = [
    ['modules', 'noModule' in document.createElement('script')],
    ['structuredClone', typeof window.structuredClone === 'function'],
    ['Array.at', typeof Array.prototype.at === 'function'],
    ['Object.hasOwn', typeof Object.hasOwn === 'function'],
    ['dialog', typeof window.HTMLDialogElement === 'function'],
    ['grid', !!(window.CSS && CSS.supports && CSS.supports('display', 'grid'))],
  ]
  var missing = []
  for (var i = 0; i < needed.length; i += 1) if (!needed[i][1]) missing.push(needed[i][0])
  if (!missing.length) return
  document.documentElement.setAttribute('data-outdated', '')
  document.addEventListener('DOMContentLoaded', function () {
    document.getElementById('missing').textContent = missing.join(', ')
  })
})()
