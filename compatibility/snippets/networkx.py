"""backends by entry points, a data file read as a resource, algorithms behind decorators, files, pickling."""

import io
import pickle

import networkx as nx

graph = nx.karate_club_graph()
print(nx.shortest_path(graph, 0, 33), round(nx.average_clustering(graph), 6), len(nx.graph_atlas_g()))
print([sorted(part)[:3] for part in nx.community.greedy_modularity_communities(graph)])
print(round(nx.pagerank(nx.path_graph(4))[1], 6), sorted(nx.config.backends))
stream = io.BytesIO()
nx.write_graphml(nx.path_graph(3), stream)
print(nx.read_graphml(io.BytesIO(stream.getvalue())).edges, pickle.loads(pickle.dumps(graph)).size())
try:
    nx.pagerank(graph, backend="nothing")
except ImportError as error:
    print(error)
print(nx.pagerank.__doc__.splitlines()[0], nx.weisfeiler_lehman_graph_hash(graph))
