"""GEOS in libraries beside the package: buffers, unions, prepared geometries, an index, text forms."""

import pickle

import numpy as np
import shapely
from shapely import wkb, wkt
from shapely.geometry import LineString, Point, mapping, shape
from shapely.ops import unary_union
from shapely.strtree import STRtree

circles = [Point(x, 0).buffer(1) for x in (0, 1, 5)]
union = unary_union(circles)
print(union.geom_type, round(union.area, 6), union.is_valid)
print(wkt.dumps(LineString([(0, 0), (1, 1)]).buffer(0.5, quad_segs=1), rounding_precision=3))
print(wkb.loads(wkb.dumps(Point(1, 2))), shape(mapping(circles[0])).equals(circles[0]))
print(STRtree(circles).query(Point(0.5, 0)).tolist(), pickle.loads(pickle.dumps(union)).equals(union))
print(shapely.distance(np.array(circles), Point(10, 0)).round(6))
try:
    wkt.loads("POINT (1")
except shapely.errors.GEOSException as error:
    print(str(error).splitlines()[0])
