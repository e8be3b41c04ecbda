# small images: left half red-ish, top row bright, so that turns can be told
from PIL import Image
import numpy as np, io, base64
a=np.zeros((8,16,3),np.uint8); a[:,:8]=[200,40,40]; a[:,8:]=[40,40,200]; a[:4,:,1]=160
im=Image.fromarray(a)
def save(im,fmt,**k):
    b=io.BytesIO(); im.save(b,fmt,**k); return b.getvalue()
def ex(o):
    e=Image.Exif(); e[0x112]=o; return e
out={'jpeg':save(im,'JPEG',quality=95,subsampling=0),
'progressive':save(im,'JPEG',quality=95,subsampling=0,progressive=True),
'greyJpeg':save(im.convert('L'),'JPEG',quality=95),
'cmyk':save(im.convert('CMYK'),'JPEG'),
'webp':save(im,'WEBP',lossless=True),
'lossyWebp':save(im,'WEBP',quality=90),
'transparentWebp':save(Image.fromarray(np.concatenate([a,np.full((8,16,1),128,np.uint8)],2)),'WEBP',lossless=True),
'animated':save(im,'WEBP',save_all=True,append_images=[im.transpose(0)],lossless=True),
'turnedWebp':save(im,'WEBP',lossless=True,exif=ex(6).tobytes()),
'png16':save(Image.fromarray((np.arange(128).reshape(8,16)*516).astype(np.uint16)),'PNG')}
# the picture as it is looked at is always im
inv={1:None,2:0,3:3,4:1,5:5,6:2,7:6,8:4}
from PIL import Image as I
T=I.Transpose
undo={2:T.FLIP_LEFT_RIGHT,3:T.ROTATE_180,4:T.FLIP_TOP_BOTTOM,5:T.TRANSPOSE,6:T.ROTATE_90,7:T.TRANSVERSE,8:T.ROTATE_270}
from PIL import ImageOps
for o,t in undo.items():
    st=im.transpose(t); j=save(st,'JPEG',quality=95,subsampling=0,exif=ex(o))
    back=ImageOps.exif_transpose(I.open(io.BytesIO(j))); assert back.size==im.size,(o,back.size)
    assert np.abs(np.array(back).astype(int)-a).max()<12,(o,)
    out[f'turned{o}']=j
print('''/**
 * Small images of 8 x 16: red on the left, blue on the right, greener in the upper half. Written by Pillow 9.4 (tests/golden/images.py).
 *
 * @module
 */

const bytes = (base64: string): Uint8Array<ArrayBuffer> => Uint8Array.fromBase64(base64);

/** Files by what is special about them; those called turned are looked at like the others. */
export const IMAGES = {''')
for k,v in out.items():
    print(f'  {k}: bytes(\n    "{base64.b64encode(v).decode()}",\n  ),')
print('} as const;')
