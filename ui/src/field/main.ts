import { createApp } from 'vue'
// By part, without Vant's icon font: it would be fetched from elsewhere.
import 'vant/es/style/base.css'
import 'vant/es/overlay/index.css'
import 'vant/es/popup/index.css'
import 'vant/es/toast/index.css'
import '@shared/theme/tokens.css'
import '@shared/theme/base.css'
import { i18n } from '@shared/i18n'
import App from './App.vue'
import { setMapBase } from '@shared/map/base'
import { backend, startListening } from './backend'
import { loadSettings } from './settings'
import { router } from './router'

function start(): void {
  startListening()
  setMapBase(async () => {
    const map = await backend.call('map')
    return map && { ...map, bounds: map.bounds as [number, number, number, number], url: backend.tiles }
  })
  void loadSettings().then(() => createApp(App).use(i18n).use(router).mount('#app'))
}

// check.js has put a page of its own where the WebView is too old.
if (!document.documentElement.hasAttribute('data-outdated')) start()
