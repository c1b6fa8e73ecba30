// The invite from a picture of its QR code, read on the phone; nothing leaves it.
import jsQR from 'jsqr'

/** Larger pictures are read smaller: a code fills a good part of its picture. */
const MAX_SIDE = 1200

export async function fromPicture(file: Blob): Promise<string | null> {
  const picture = await createImageBitmap(file)
  const scale = Math.min(1, MAX_SIDE / Math.max(picture.width, picture.height))
  const [width, height] = [Math.round(picture.width * scale), Math.round(picture.height * scale)]
  const canvas = document.createElement('canvas')
  canvas.width = width
  canvas.height = height
  const pen = canvas.getContext('2d', { willReadFrequently: true })
  if (!pen) return null
  pen.drawImage(picture, 0, 0, width, height)
  const found = jsQR(pen.getImageData(0, 0, width, height).data, width, height)
  return found?.data ?? null
}

export const isInvite = (text: string): boolean => text.trim().startsWith('yaoguan://enrol?')
