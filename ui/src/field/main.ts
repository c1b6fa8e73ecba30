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
import { startListening } from './backend'
import { loadSettings } from './settings'
import { router } from './router'

startListening()
void loadSettings().then(() => createApp(App).use(i18n).use(router).mount('#app'))
