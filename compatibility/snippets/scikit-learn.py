"""data sets in the package, a pipeline, worker processes, HTML of an estimator, pickling."""

import hashlib
import pickle

from sklearn import datasets
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import estimator_html_repr

if __name__ == "__main__":
    data, target = datasets.load_iris(return_X_y=True)
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=200))
    print(cross_val_score(model, data, target, cv=3, n_jobs=2).round(4))
    model.fit(data, target)
    print(pickle.loads(pickle.dumps(model)).predict(data[::25]))
    print(RandomForestClassifier(10, random_state=0).fit(data, target).score(data, target).__round__(3))
    print(hashlib.sha256(datasets.load_sample_image("china.jpg").tobytes()).hexdigest()[:12])
    print(datasets.load_digits().DESCR.splitlines()[2])
    print("<style>" in estimator_html_repr(model))
