/** Places on a picture that an element shows. */

/**
 * Where a box of a picture lies in an element that the picture covers, mirrored.
 * @param {{x: number, y: number, width: number, height: number}} box pixels of the picture
 * @param {{width: number, height: number}} picture
 * @param {number} width of the element
 * @param {number} height of the element
 */
export function placed(box, picture, width, height) {
  const scale = Math.max(width / picture.width, height / picture.height);
  const left = (width - picture.width * scale) / 2;
  const top = (height - picture.height * scale) / 2;
  return {
    x: width - (left + (box.x + box.width) * scale),
    y: top + box.y * scale,
    width: box.width * scale,
    height: box.height * scale,
  };
}
