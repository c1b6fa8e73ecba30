// The invite from its QR code, read on the phone; nothing leaves it.
import jsQR from 'jsqr'

/** Larger pictures are read smaller: a code fills a good part of its picture. */
const MAX_SIDE = 1200

let canvas: HTMLCanvasElement | undefined

/** The words of the code that a picture shows; null where it shows none. */
export function readCode(picture: CanvasImageSource, wide: number, high: number): string | null {
  const scale = Math.min(1, MAX_SIDE / Math.max(wide, high))
  const [width, height] = [Math.round(wide * scale), Math.round(high * scale)]
  canvas ??= document.createElement('canvas')
  canvas.width = width
  canvas.height = height
  const pen = canvas.getContext('2d', { willReadFrequently: true })
  if (!pen) return null
  pen.drawImage(picture, 0, 0, width, height)
  return jsQR(pen.getImageData(0, 0, width, height).data, width, height)?.data ?? null
}

export async function fromPicture(file: Blob): Promise<string | null> {
  const picture = await createImageBitmap(file)
  return readCode(picture, picture.width, picture.height)
}

export const isInvite = (text: string): boolean => text.trim().startsWith('yaoguan://enrol?')
