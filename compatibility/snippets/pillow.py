"""drawing, FreeType text, PNG, JPEG, WebP and TIFF through bundled libraries, colour profiles."""

import hashlib
import io

from PIL import Image, ImageCms, ImageDraw, ImageFilter, ImageFont, features

image = Image.new("RGB", (120, 40), "white")
draw = ImageDraw.Draw(image)
draw.ellipse((5, 5, 35, 35), fill="teal")
draw.text((42, 12), "bundle", font=ImageFont.load_default(14), fill="black")
image = image.filter(ImageFilter.GaussianBlur(1))
for kind in ("PNG", "JPEG", "WEBP", "TIFF", "GIF", "BMP"):
    stream = io.BytesIO()
    image.save(stream, kind)
    again = Image.open(io.BytesIO(stream.getvalue()))
    again.load()
    print(kind, again.size, hashlib.sha256(stream.getvalue()).hexdigest()[:12])
for name in ("freetype2", "littlecms2", "webp", "jpg", "zlib", "libtiff", "jpg_2000"):
    print(name, features.check(name))
print(ImageCms.getProfileDescription(ImageCms.createProfile("sRGB")).strip())
print(
    len(Image.registered_extensions()), hashlib.sha256(image.convert("CMYK").resize((9, 9)).tobytes()).hexdigest()[:12]
)
