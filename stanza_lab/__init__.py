"""stanza_lab: alert exports in, a map of production out.

Every public name is reachable from here and loads on first use, so that importing the package stays light. The names
and the rooms they live in are listed once, in ``__init__.pyi``::

    import stanza_lab as sl

    alerts = sl.cluster_incidents(sl.resolve_entities(sl.read_alerts("exports/")))
    production = sl.ProductionMap(sl.DependencyModel().fit(alerts).edges_, alerts)
    sl.plot.production_map(production.near("checkout", hops=2))
"""

import lazy_loader

__version__ = "0.1.0"

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
