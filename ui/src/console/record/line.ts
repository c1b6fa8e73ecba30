// A part of a patrol's line: Google's Encoded Polyline Algorithm Format, 1e-5 degrees.
export function decodeLine(text: string): { lat: number; lon: number }[] {
  const points: { lat: number; lon: number }[] = []
  let [at, lat, lon] = [0, 0, 0]
  const number = () => {
    let [shift, bits, code] = [0, 0, 0]
    do {
      code = text.charCodeAt(at++) - 63
      bits |= (code & 31) << shift
      shift += 5
    } while (code >= 32 && at < text.length)
    return bits & 1 ? ~(bits >> 1) : bits >> 1
  }
  while (at < text.length) {
    lat += number()
    lon += number()
    points.push({ lat: lat / 1e5, lon: lon / 1e5 })
  }
  return points
}
