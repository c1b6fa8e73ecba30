// A sound when a major danger comes in that nobody is on, and again while it stays so. Browsers play nothing
// before the first touch of the page.
import { onUnmounted, ref, watch, type Ref } from 'vue'

const AGAIN_MS = 20_000
const KEPT = 'alarm-muted'

let sound: AudioContext | null = null
function touched() {
  sound ??= new AudioContext()
  void sound.resume()
}
for (const event of ['pointerdown', 'keydown']) window.addEventListener(event, touched, { once: true })

export function useAlarm(urgent: Ref<number>) {
  const muted = ref(localStorage.getItem(KEPT) === '1')
  const rung = ref(0)
  let timer: ReturnType<typeof setInterval> | undefined

  function ring() {
    if (muted.value || !sound || urgent.value === 0) return
    rung.value += 1
    for (const [at, hertz] of [[0, 880], [0.22, 660], [0.44, 880]] as const) {
      const tone = sound.createOscillator()
      const loudness = sound.createGain()
      tone.frequency.value = hertz
      loudness.gain.value = 0.12
      tone.connect(loudness).connect(sound.destination)
      tone.start(sound.currentTime + at)
      tone.stop(sound.currentTime + at + 0.16)
    }
  }
  function mute(on: boolean) {
    muted.value = on
    localStorage.setItem(KEPT, on ? '1' : '0')
  }
  watch(urgent, (now, before) => {
    if (now > (before ?? 0)) ring()
    clearInterval(timer)
    if (now > 0) timer = setInterval(ring, AGAIN_MS)
  }, { immediate: true })
  onUnmounted(() => clearInterval(timer))
  return { muted, mute, rung }
}
