"""FRED inputs written for tests."""

import shutil
from pathlib import Path

SMALL = """
region: phantom ; O = [0,0,10] ; L = [10,20,30] ; voxels = [5,10,15] ; material = water ; score = [dose]
region: RS ; O = [0,0,-10] ; L = [20,20,2] ; material = PMMA
field: 1 ; O = [0,0,-50] ; L = [10,10,1]
field: 2 ; O = [0,-50,0] ; f = [0,1,0] ; u = [0,0,1] ; L = [10,10,1]
pb: 1 1 ; T = 100 ; N = 1e6
pb: 2 1 ; T = 110 ; N = 2e6 ; nprim = 500
pb: 3 1 ; T = 120 ; N = 3e6
pb: 1 2 ; T = 130 ; Xsec = gauss ; FWHM = 0.5
"""

# A delivery of our own for the decks, whose own is not kept: one step per field, the patient turned under it.
TURNED_PATIENT = """
include: {plan}
def: sad = plan.get('SAD')
for(one in plan.get('Fields'))<
  field: ${{one['fieldNumber']}} ; O = [0,$sad,0] ; L = ${{one['dim']}} ; l = [0,0,-1] ; u = [1,0,0]
  deactivate: field_${{one['fieldNumber']}}
for>
for(one in plan.get('Fields'))<
  def: n = one.get('fieldNumber')
  def: iso = one.get('ISO')
  activate: field_$n
  transform: Phantom move_to ${{iso.item(0)}} ${{iso.item(1)}} ${{iso.item(2)}} Room
  transform: Phantom rotate y ${{one['CA']}} Room
  transform: Phantom rotate z ${{one['GA']}} Room
  for(layer in one.get('Layers'))<
    for(spot in layer.get('beamlets'))<
      pb<
        ID = ${{spot.get('beamletID')}} ; fieldID = $n
        T = ${{layer.get('Energy')}} ; EFWHM = ${{layer.get('Espread')}}
        Xsec = gauss ; FWHM = ${{layer.get('FWHM')}}
        P = ${{spot.get('P')}} ; v = ${{spot.get('v')}} ; N = ${{spot.get('w')}}
      pb>
    for>
  for>
  deliver: field_$n
  deactivate: field_$n
  transform: Phantom rotate z ${{-1*one['GA']}} Room
  transform: Phantom rotate y ${{-1*one['CA']}} Room
  transform: Phantom move_to 0 0 0 Room
for>
"""
# A plan in the way of matRad and pyRadPlan: fields of layers of spots, as dictionaries.
PLAN = """nprim = 100
    def: S0 = {'beamletID': 0, 'P': [-0.9, 0.9, 0], 'v': [-0.001, 0.001, 1], 'w': 1.5}
    def: S1 = {'beamletID': 1, 'P': [0, 0, 0], 'v': [0, 0, 1], 'w': 2.0}
  def: L0 = {'Energy': 106.1, 'Espread': 3.7, 'FWHM': 1.46, 'beamlets': [S0, S1]}
def: F0 = {'fieldNumber': 0, 'GA': 30, 'CA': -10, 'ISO': [1, 2, 3], 'dim': [15, 15, 0.1], 'Layers': [L0]}
def: plan = {'SAD': 100, 'Fields': [F0]}
region: Phantom ; L = [10,10,10] ; material = water
"""
DECKS = {"matrad": ("fred.inp", "inp/plan"), "pyradplan": ("inp/fred.inp", "plan")}


def written(folder: Path, text: str, name: str = "fred.inp") -> Path:
    """Return a file with a text in it."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def deck(shared_data: Path, folder: Path, name: str) -> Path:
    """Return the input of a real deck, copied into a folder, with the delivery that is not kept beside it."""

    kept = shared_data / "fred-decks" / name
    main, plan = DECKS[name]
    shutil.copytree(kept, folder / name, ignore=shutil.ignore_patterns("out", "*.txt"))
    path = folder / name / main
    written(path.parent, TURNED_PATIENT.format(plan=f"{plan}/plan.inp"), f"{plan}/planDelivery.inp")
    return path
